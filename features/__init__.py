"""Light curves -> named columns of numbers."""
