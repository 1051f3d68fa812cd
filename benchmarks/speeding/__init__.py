"""How fast is Boreal? Each stage, the whole way, how they grow; every figure beside its baseline of the same run."""
