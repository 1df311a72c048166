"""Logs somebody in with pyrad, as a VPN written on it would, and says what came back.

    login.py PORT SECRET USER PASSWORD [ROUNDS]

A challenge is shown and answered with an empty password and its State, at most ROUNDS times. The reply must
carry a Message-Authenticator: pyrad drops every other.
"""

import pathlib
import sys

from pyrad import packet
from pyrad.client import Client, Timeout
from pyrad.dictionary import Dictionary

NAMES = {
    packet.AccessAccept: "Access-Accept",
    packet.AccessReject: "Access-Reject",
    packet.AccessChallenge: "Access-Challenge",
}


def show(reply):
    print(NAMES.get(reply.code, reply.code))
    for name in reply.keys():
        for value in reply[name]:
            print(f"\t{name} = {value!r}")


def main(port, secret, user, password, rounds="0"):
    here = pathlib.Path(__file__).parent
    nas = Client(
        server="127.0.0.1",
        authport=int(port),
        secret=secret.encode(),
        dict=Dictionary(str(here / "dictionary")),
        retries=1,
        timeout=30,
        enforce_ma=True,
    )
    state = None
    for _ in range(int(rounds) + 1):
        request = nas.CreateAuthPacket(code=packet.AccessRequest, User_Name=user, NAS_Identifier="pyrad")
        request["User-Password"] = request.PwCrypt(password if state is None else "")
        if state is not None:
            request["State"] = state
        try:
            reply = nas.SendPacket(request)
        except Timeout:
            print("no reply")
            return
        show(reply)
        if reply.code != packet.AccessChallenge:
            return
        state = reply["State"][0]


main(*sys.argv[1:])
