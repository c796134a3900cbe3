"""What XenAPI.py does, on a pool: python3 xmlrpc-session.py URL USER PASSWORD. Prints what it saw as one JSON object."""

import json
import sys
import xmlrpc.client


class Failure(Exception):
    pass


class Session:
    """Calls go to /RPC2; an answer is a struct with Status and Value or ErrorDescription."""

    def __init__(self, url, user, password):
        self.proxy = xmlrpc.client.ServerProxy(url + "/RPC2", allow_none=True)
        self.ref = self.value(self.proxy.session.login_with_password(user, password, "2.3", "xmlrpc-session.py"))

    @staticmethod
    def value(answer):
        if answer["Status"] == "Success":
            return answer["Value"]
        raise Failure(answer["ErrorDescription"])

    def __call__(self, method, *args):
        return self.value(getattr(self.proxy, method)(self.ref, *args))


def refused(call, *args):
    try:
        call(*args)
    except Failure as failure:
        return failure.args[0]
    return None


def seen(batch, ref):
    """The power states of the VM that the events tell, in their order; None where it is gone."""
    events = [event for event in batch["events"] if event["ref"] == ref]
    return [event["snapshot"]["power_state"] if event["operation"] != "del" else None for event in events]


def main(url, user, password):
    call = Session(url, user, password)
    template = call("VM.get_by_name_label", "debian-12")[0]
    first = call("event.from", ["VM"], "", 0.0)
    known = [event["ref"] for event in first["events"] if event["operation"] == "add"]
    vm = call("VM.clone", template, "from-python é")
    call("VM.provision", vm)
    started = call("event.from", ["VM"], first["token"], 5.0)
    call("VM.start", vm, False, False)
    running = call("event.from", ["vm"], started["token"], 5.0)
    twice = refused(call, "VM.start", vm, False, False)
    call("VM.hard_shutdown", vm)
    halted = call("event.from", ["VM"], running["token"], 5.0)
    record = call("VM.get_record", vm)
    for disk in [call("VBD.get_VDI", vbd) for vbd in record["VBDs"] if call("VBD.get_type", vbd) == "Disk"]:
        call("VDI.destroy", disk)
    call("VM.destroy", vm)
    gone = call("event.from", ["VM"], halted["token"], 5.0)
    report = {
        "known": sorted(known) == sorted(call("VM.get_all_records")) and template in known,
        "name": record["name_label"],
        "memory": record["memory_static_max"],
        "isTemplate": record["is_a_template"],
        "snapshotTime": str(record["snapshot_time"]),
        "made": seen(started, vm)[-1],
        "running": seen(running, vm)[-1],
        "twice": twice[0] if twice else None,
        "halted": seen(halted, vm)[-1],
        "gone": seen(gone, vm)[-1],
        "afterwards": refused(call, "VM.get_record", vm),
        "vm": vm,
    }
    call("session.logout")
    report["loggedOut"] = refused(call, "VM.get_all")[0]
    print(json.dumps(report))


main(*sys.argv[1:])
