"""What would filters have sent? Over annotation tables and packets, with what the stream itself calls."""
