"""Commands of `llark`: one file each, holding a function of the file's name."""
