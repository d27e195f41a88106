"""The faces: thin layers that parse arguments, call the pipeline and render what comes back."""
