"""How the pictures of docs/techniques are made: what a net holds, where that stands, how it looks."""
