"""How long a backtest over an annotation table takes."""
