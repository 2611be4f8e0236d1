"""Scenes of a house with models that others draw with: nothing is trained, a small LoRA is put there as it is."""

import numpy as np
from safetensors.numpy import save

from core.domain.account import Actor
from core.domain.model import Model, Visibility
from loraguild.composition import House
from tests.builders.entities import NOON, a_model
from tests.builders.scenes import stored

LAYER = "lora_unet_up_blocks_3_attentions_1_transformer_blocks_0_attn1_to_v"
WIDTH, RANK = 32, 4


async def a_public_model(house: House, owner: Actor, name: str = "zorp") -> Model:
    """Put a LoRA for the tiny base into the house, for everyone to use by its name."""
    model = a_model(
        id=f"model-{name}",
        owner=owner.account,
        owner_name=owner.name,
        slug=name,
        trigger=name,
        family="tiny-shapes",
        base="tiny-sd",
        offering="long",
        artifact=await stored(house, f"{name}.safetensors", a_lora(name)),
        visibility=Visibility.PUBLIC,
        published_at=NOON,
    )
    await house.store.models.add(model)
    return model


def a_lora(name: str) -> bytes:
    """Make a LoRA for one layer of the tiny base that changes pictures visibly; another name, another LoRA."""
    random = np.random.default_rng(list(name.encode()))
    down, up = (random.normal(size=shape).astype(np.float32) for shape in ((RANK, WIDTH), (WIDTH, RANK)))
    return save(
        {f"{LAYER}.lora_down.weight": down, f"{LAYER}.lora_up.weight": up, f"{LAYER}.alpha": np.array(RANK, np.float32)}
    )
