"""What crosses a boundary: survey packets in, light curves inside, annotations out."""
