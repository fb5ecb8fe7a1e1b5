"""Parts of pages: they ask `queries`, draw with `charts` and say in a sentence what it means."""
