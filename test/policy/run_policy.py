"""Runs a policy bundle with onnxruntime alone, as another program would: python run_policy.py FOLDER REQUEST

REQUEST is a file: {"observations": [[…]], "noise": [[…]]}. An observation of several blocks is an object of lists
by the names of the blocks, {"state": […], "camera": […]}, row-major. stdout: {"metadata": {…}, "actions": [[…]], "golden": [[…]]}.
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


inputs = {i.name: i for i in session.get_inputs()}


def tensor(name, values):
    dtype = {"tensor(float)": numpy.float32, "tensor(uint8)": numpy.uint8}[inputs[name].type]
    return numpy.asarray(values, dtype).reshape(inputs[name].shape)


def act(observation, noise):
    if isinstance(observation, dict):
        feeds = {f"observation_{block}": values for block, values in observation.items()}
    else:
        feeds = {"observation": observation}
    feeds = {name: tensor(name, values) for name, values in {**feeds, "noise": noise}.items()}
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
