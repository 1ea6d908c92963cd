"""Map recipes as text, to be stored with the maps that they made."""

import json
from dataclasses import asdict

from .making import DiscBlur, GaussianBlur, MapRecipe

_BLURS = {"disc": DiscBlur, "gaussian": GaussianBlur}


def text_of_recipe(recipe: MapRecipe) -> str:
    """Return a recipe as JSON; ``recipe_of_text`` makes it again."""
    words = asdict(recipe)
    if recipe.blur is not None:
        kind = "disc" if isinstance(recipe.blur, DiscBlur) else "gaussian"
        words["blur"] = {"kind": kind, **words["blur"]}
    return json.dumps(words)


def recipe_of_text(text: str, where: str) -> MapRecipe:
    """Return the recipe that was written as text.

    Raises:
        ValueError: it is none; names ``where``.
    """
    try:
        words = json.loads(text)
        blur = words.pop("blur")
        made = None if blur is None else _BLURS[blur.pop("kind")](**blur)
        return MapRecipe(**words, blur=made)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"expected a map recipe in {where}, got {text[:80]!r} ({error})"
        ) from error
