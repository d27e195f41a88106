"""Blueprint files: reading with line-exact errors, writing with comments, JSON Schema, Markdown."""
