"""Where packets come from: files as they lie in a directory, and what is packed in them."""
