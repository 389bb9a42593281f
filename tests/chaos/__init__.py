"""Proof by violence: real workers are killed, frozen and cut off while runs go on, and nothing may come of it."""
