"""The GPUs that Spark gives to tasks, as CUDA has to be told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparkdl.errors import SettingsException

VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible_devices(addresses: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return what CUDA_VISIBLE_DEVICES has to be for GPUs with these addresses.

    Where it is set already, addresses are places in it, as Spark's own distributors have it; those
    that are no numbers, such as UUIDs, stand in it themselves.

    Examples
    --------
    >>> visible_devices(["0", "2"], {})
    '0,2'
    >>> visible_devices(["1"], {"CUDA_VISIBLE_DEVICES": "4,6"})
    '6'
    """
    if not environment.get(VISIBLE):
        return ",".join(addresses)
    shown = [device.strip() for device in environment[VISIBLE].split(",")]
    return ",".join(_device(address, shown) for address in addresses)


def _device(address: str, shown: Sequence[str]) -> str:
    if address.isdigit() and int(address) < len(shown):
        return shown[int(address)]
    if address in shown and not address.isdigit():
        return address
    raise SettingsException(
        f"Spark gave this task the GPU {address!r}, but {VISIBLE}={','.join(shown)} shows "
        f"{len(shown)}. The discovery script has to print their numbers from 0 on, or what stands "
        f"in {VISIBLE}."
    )
