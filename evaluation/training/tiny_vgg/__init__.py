"""How `tiny-vgg-1` was made: distill VGG-19 into a small network and measure how well the two agree."""
