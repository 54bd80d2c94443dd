"""Runs a policy bundle with onnxruntime alone, as another program would: python run_policy.py FOLDER REQUEST

REQUEST is a file: {"observations": [[…]], "noise": [[…]]}. stdout: {"metadata": {…}, "actions": [[…]], "golden": [[…]]}.
Checks the model's SHA-256 against the manifest first.
"""

import hashlib
import json
import pathlib
import sys

import numpy
import onnxruntime

folder = pathlib.Path(sys.argv[1])
manifest = json.loads((folder / "manifest.json").read_text())
model = (folder / manifest["model"]["file"]).read_bytes()
if hashlib.sha256(model).hexdigest() != manifest["model"]["sha256"]:
    sys.exit("the model does not have the manifest's SHA-256")
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def act(observation, noise):
    feeds = {
        "observation": numpy.asarray([observation], numpy.float32),
        "noise": numpy.asarray([noise], numpy.float32),
    }
    return session.run(["action"], feeds)[0][0].tolist()


request = json.loads(pathlib.Path(sys.argv[2]).read_text())
json.dump(
    {
        "metadata": session.get_modelmeta().custom_metadata_map,
        "actions": [act(o, n) for o, n in zip(request["observations"], request["noise"])],
        "golden": [act(g["observation"], g["noise"]) for g in manifest["golden"]],
    },
    sys.stdout,
)
