"""Runs a launch file under the real launch and launch_ros, with programs that only write down how they were started.

Gives the same JSON as stand_in.py, but for what only a running system shows (what ends with what).
"""

import json
import os
import stat
import sys
import tempfile

PROGRAM = """#!{python}
import json, os, sys
out = {{'package': os.path.basename(os.path.dirname(sys.argv[0])), 'executable': os.path.basename(sys.argv[0]), 'name': None,
        'namespace': '', 'parameters': {{}}, 'files': [], 'remappings': {{}}, 'arguments': []}}
rest = iter(sys.argv[1:])
for word in rest:
    if word == '--ros-args':
        continue
    elif word == '--params-file':
        path = next(rest)
        if path.startswith({share!r}):
            out['files'].append(path)
            continue
        import yaml
        for entry in yaml.safe_load(open(path)).values():
            out['parameters'].update(entry['ros__parameters'])
    elif word == '-r':
        old, new = next(rest).split(':=')
        if old == '__ns':
            out['namespace'] = new.lstrip('/')
        elif old == '__node':
            out['name'] = new
        else:
            out['remappings'][old] = new
    else:
        out['arguments'].append(word)
json.dump(out, open(os.path.join({folder!r}, str(os.getpid()) + '.json'), 'w'))
"""

# When Gazebo ends all is ended: not before the four nodes beside it have written.
GZ = """#!/bin/sh
for _ in $(seq 100); do
  if [ "$(ls {folder} | wc -l)" -ge 4 ]; then break; fi
  sleep 0.2
done
sleep 1
"""


def main():
    path, share, programs, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, 'prefix')
        index = os.path.join(prefix, 'share/ament_index/resource_index/packages')
        os.makedirs(index)
        os.makedirs(os.path.join(folder, 'out'))
        text = PROGRAM.format(python=sys.executable, share=os.path.join(prefix, 'share'), folder=os.path.join(folder, 'out'))
        for program in programs.split(',') + ['gz']:
            package, _, executable = program.rpartition('/')
            where = os.path.join(prefix, 'lib', package) if package else os.path.join(prefix, 'bin')
            os.makedirs(where, exist_ok=True)
            if package:
                open(os.path.join(index, package), 'w').close()
                os.makedirs(os.path.join(prefix, 'share'), exist_ok=True)
            file = os.path.join(where, executable)
            with open(file, 'w', encoding='utf8') as out:
                out.write(text if package else GZ.format(folder=os.path.join(folder, 'out')))
            os.chmod(file, os.stat(file).st_mode | stat.S_IXUSR)
        os.symlink(share, os.path.join(prefix, 'share/iq_learn'))
        os.environ['AMENT_PREFIX_PATH'] = prefix + os.pathsep + os.environ.get('AMENT_PREFIX_PATH', '')
        os.environ['PATH'] = os.path.join(prefix, 'bin') + os.pathsep + os.environ['PATH']
        os.environ['ROS_LOG_DIR'] = os.path.join(folder, 'log')

        from launch import LaunchDescription, LaunchService
        from launch.actions import IncludeLaunchDescription
        from launch.launch_description_sources import PythonLaunchDescriptionSource

        source = PythonLaunchDescriptionSource(path)
        declared = source.try_get_launch_description_without_context().get_launch_arguments()
        service = LaunchService(noninteractive=True)
        given = dict(argument.split(':=', 1) for argument in arguments)
        service.include_launch_description(
            LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given.items())]))
        failed = service.run() != 0
        nodes = []
        for name in sorted(os.listdir(os.path.join(folder, 'out'))):
            with open(os.path.join(folder, 'out', name), encoding='utf8') as file:
                nodes.append(json.load(file))
        for node in nodes:
            node['files'] = [os.path.join(share, os.path.relpath(file, os.path.join(prefix, 'share/iq_learn'))) for file in node['files']]
        text = json.dumps({
            **({'failure': 'launch ended with an error'} if failed else {}),
            'arguments': [{
                'name': argument.name,
                'description': argument.description.split(' Valid choices are:')[0],
                'required': argument.default_value is None,
                'choices': argument.choices,
            } for argument in declared],
            'nodes': nodes,
        }).replace(os.path.join(prefix, 'share/iq_learn'), share)
    # What launch prints goes before.
    sys.stdout.write('\n' + text)


if __name__ == '__main__':
    main()
