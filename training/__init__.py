"""How to fit a model: recipes, data, stages."""
