"""The nouns: frozen values that flow down the line. Standard library only, no I/O."""
