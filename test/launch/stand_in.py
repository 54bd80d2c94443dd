"""A test double of the part of `launch` and `launch_ros` that this package's launch files use, where the real ones cannot be had.

It evaluates a launch description and gives what would be started, without starting anything. It knows only the names and keywords
below, so a launch file that uses others fails here first. What it cannot tell is whether the real ones agree with it:
real_launch.py runs the same checks under them where they can be imported.
"""

import ast
import json
import runpy
import shlex
import subprocess
import sys
import types
from typing import List


class Failure(Exception):
    pass


def text_of(value, context):
    """A substitution, a text, or a list of both, as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        # Lists in lists are refused by the launch of Jazzy and Kilted.
        return ''.join(text_of(part, context) for part in value if not isinstance(part, list) or nested(part))
    if hasattr(value, 'perform'):
        return value.perform(context)
    raise Failure(f'{value!r} is neither text nor substitution')


def nested(part):
    raise Failure(f'{part!r} is a list in a list')


class LaunchConfiguration:
    def __init__(self, name):
        self.name = name

    def perform(self, context):
        if self.name not in context.configurations:
            raise Failure(f"launch configuration '{self.name}' does not exist")
        return context.configurations[self.name]


class PythonExpression:
    def __init__(self, expression):
        self.expression = expression

    def perform(self, context):
        return str(eval(text_of(self.expression, context), {}, {}))


class Command:
    def __init__(self, command):
        self.command = command

    def perform(self, context):
        result = subprocess.run(shlex.split(text_of(self.command, context)), capture_output=True, text=True, check=False)
        if result.returncode != 0 or result.stderr:
            raise Failure(result.stderr)
        return result.stdout


class FindPackageShare:
    def __init__(self, package):
        self.package = package

    def perform(self, context):
        return context.shares[text_of(self.package, context)]


class IfCondition:
    wanted = True

    def __init__(self, predicate):
        self.predicate = predicate

    def holds(self, context):
        text = text_of(self.predicate, context).strip().lower()
        if text not in ('true', 'false', '1', '0'):
            raise Failure(f"condition '{text}'")
        return (text in ('true', '1')) == self.wanted


class UnlessCondition(IfCondition):
    wanted = False


class ParameterValue:
    def __init__(self, value, *, value_type=None):
        self.value = value
        self.value_type = value_type

    def evaluate(self, context):
        text = text_of(self.value, context)
        if self.value_type is str:
            return text
        if self.value_type == List[str]:
            values = ast.literal_eval(text)
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                raise Failure(f"'{text}' is no list of texts")
            return values
        value = json.loads(text)
        if type(value) is not self.value_type:
            raise Failure(f"'{text}' is no {self.value_type.__name__}")
        return value


def parameter_of(value, context):
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    if isinstance(value, (bool, int, float)):
        return value
    return text_of(value, context)


class Action:
    condition = None

    def execute(self, context):
        if self.condition is None or self.condition.holds(context):
            self.run(context)


class LaunchDescription:
    def __init__(self, entities):
        self.entities = entities

    def execute(self, context):
        for entity in self.entities:
            entity.execute(context)


class DeclareLaunchArgument(Action):
    def __init__(self, name, *, default_value=None, description=None, choices=None):
        self.name, self.default_value, self.description, self.choices = name, default_value, description, choices

    def run(self, context):
        if context.depth == 0:
            context.arguments.append({
                'name': self.name,
                'description': self.description,
                'required': self.default_value is None,
                'choices': self.choices,
            })
        if self.name not in context.configurations:
            if self.default_value is None:
                raise Failure(f"required launch argument '{self.name}' was not provided")
            context.configurations[self.name] = text_of(self.default_value, context)
        value = context.configurations[self.name]
        if self.choices is not None and value not in self.choices:
            raise Failure(f"'{value}' of argument '{self.name}' is not in {self.choices}")


class SetLaunchConfiguration(Action):
    def __init__(self, name, value, *, condition=None):
        self.name, self.value, self.condition = name, value, condition

    def run(self, context):
        context.configurations[self.name] = text_of(self.value, context)


class Shutdown(Action):
    def __init__(self, *, reason):
        self.reason = reason


class ExecuteProcess(Action):
    def __init__(self, *, cmd, output=None, on_exit=None, condition=None):
        self.cmd, self.on_exit, self.condition = cmd, on_exit, condition

    def run(self, context):
        context.processes.append({
            'cmd': [text_of(part, context) for part in self.cmd],
            'ends_all': isinstance(self.on_exit, Shutdown),
        })


class PythonLaunchDescriptionSource:
    def __init__(self, path):
        self.path = path


class IncludeLaunchDescription(Action):
    def __init__(self, source, *, launch_arguments=(), condition=None):
        self.source, self.launch_arguments, self.condition = source, launch_arguments, condition

    def run(self, context):
        # Arguments of an included file are seen by what follows, as in launch.
        for name, value in self.launch_arguments:
            context.configurations[name] = text_of(value, context)
        context.depth += 1
        load(text_of(self.source.path, context)).execute(context)
        context.depth -= 1


class Node(Action):
    def __init__(self, *, package, executable, name=None, namespace=None, parameters=(), remappings=(), arguments=(),
                 output=None, on_exit=None, condition=None):
        self.__dict__.update(locals())

    def run(self, context):
        parameters, files = {}, []
        for entry in self.parameters:
            if isinstance(entry, dict):
                parameters.update({key: parameter_of(value, context) for key, value in entry.items()})
            else:
                files.append(text_of(entry, context))
        context.nodes.append({
            'package': self.package,
            'executable': self.executable,
            'name': self.name,
            'namespace': '' if self.namespace is None else text_of(self.namespace, context),
            'parameters': parameters,
            'files': files,
            'remappings': {text_of(old, context): text_of(new, context) for old, new in self.remappings},
            'arguments': [text_of(argument, context) for argument in self.arguments],
            'ends_all': isinstance(self.on_exit, Shutdown),
        })


def load(path):
    return runpy.run_path(path)['generate_launch_description']()


def install():
    """Makes the above importable as launch and launch_ros."""
    own = globals()
    for module, names in {
        'launch': ['LaunchDescription'],
        'launch.actions': [
            'DeclareLaunchArgument', 'ExecuteProcess', 'IncludeLaunchDescription', 'SetLaunchConfiguration', 'Shutdown'],
        'launch.conditions': ['IfCondition', 'UnlessCondition'],
        'launch.launch_description_sources': ['PythonLaunchDescriptionSource'],
        'launch.substitutions': ['Command', 'LaunchConfiguration', 'PythonExpression'],
        'launch_ros': [],
        'launch_ros.actions': ['Node'],
        'launch_ros.parameter_descriptions': ['ParameterValue'],
        'launch_ros.substitutions': ['FindPackageShare'],
    }.items():
        made = types.ModuleType(module)
        for name in names:
            setattr(made, name, own[name])
        sys.modules[module] = made


def main():
    path, share, *arguments = sys.argv[1:]
    install()
    context = types.SimpleNamespace(
        configurations=dict(argument.split(':=', 1) for argument in arguments),
        shares={'iq_learn': share}, arguments=[], nodes=[], processes=[], depth=0)
    result = {}
    try:
        load(path).execute(context)
    except Failure as failure:
        result['failure'] = str(failure)
    json.dump({**result, 'arguments': context.arguments, 'nodes': context.nodes, 'processes': context.processes}, sys.stdout)


if __name__ == '__main__':
    main()
