"""The desk where people deal with what the pipeline set aside: look, fix, send on, or discard."""
