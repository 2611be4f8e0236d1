"""What machines are called, and what a class of them is."""

import pytest

from core.domain.fleet import gpu_class

CLASSES = {
    "": "",
    "NVIDIA A100-SXM4-80GB": "a100",
    "NVIDIA A100 80GB PCIe": "a100",
    "NVIDIA GeForce GTX 1080 Ti": "gtx1080ti",
    "NVIDIA GeForce RTX 4090": "rtx4090",
    "NVIDIA GeForce RTX 4090 Laptop GPU": "rtx4090laptop",
    "NVIDIA H100 80GB HBM3": "h100",
    "NVIDIA H100 NVL": "h100nvl",
    "NVIDIA H200": "h200",
    "NVIDIA H200 MIG 1g.18gb": "h200mig1g18gb",
    "NVIDIA RTX 6000 Ada Generation": "rtx6000ada",
    "Tesla T4": "t4",
}


@pytest.mark.parametrize(("device", "expected"), CLASSES.items())
def test_what_a_maker_calls_in_many_ways_is_one_class(device: str, expected: str) -> None:
    assert gpu_class(device) == expected
