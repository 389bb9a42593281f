"""The demo dataset: photographs that scikit-image brings, and style images that the project paints."""
