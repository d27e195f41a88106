"""How large an index would be once really built: a model of each access method's pages, no server asked."""
