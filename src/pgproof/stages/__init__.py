"""The verbs of the line: model in, model out, strangers to each other."""
