"""How the learned generators learn: for each, its losses and who takes which turn in a training step."""
