"""The token git needs to reach the instructors' repository, for one command and nobody's eyes.

It travels in the environment of that one git: not in an address, not in an argument, not in a file.
"""

from __future__ import annotations

import os
from base64 import b64encode
from urllib.parse import urlsplit

from autograder.course.configuration import ForgeOptions


def credential_variables(forge: ForgeOptions) -> tuple[tuple[str, str], ...]:
    """Return variables that let git in at the forge with the token, none if there is no token or no encryption."""
    token = os.environ.get(forge.token, "").strip()
    address = urlsplit(forge.web)
    if not token or address.scheme != "https":
        return ()
    basic = b64encode(f"x-access-token:{token}".encode()).decode()
    return (
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", f"http.https://{address.netloc}/.extraheader"),
        ("GIT_CONFIG_VALUE_0", f"AUTHORIZATION: basic {basic}"),
    )
