"""Why an alert was classified as it was: for a person who asks about one, and as a column of annotations."""
