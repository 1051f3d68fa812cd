"""How far the simulation is from real light curves, class by class and statistic by statistic."""
