"""What ROS 2 sees of this package, as JSON: its prefix, its executables (`ros2 pkg executables`), what its share folder holds."""

import json
import os

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from ament_index_python.resources import get_resource

prefix = get_package_prefix('iq_learn')
share = get_package_share_directory('iq_learn')
folder = os.path.join(prefix, 'lib', 'iq_learn')
executables = [name for name in sorted(os.listdir(folder)) if os.access(os.path.join(folder, name), os.X_OK)]
interfaces, _ = get_resource('rosidl_interfaces', 'iq_learn')
print(json.dumps({
    'prefix': prefix,
    'executables': executables,
    'interfaces': [line for line in interfaces.split() if line.endswith(('.msg', '.srv'))],
    'share': {name: sorted(os.listdir(os.path.join(share, name))) for name in ('config', 'launch', 'urdf', 'worlds')},
    'links': [name for name in sorted(os.listdir(share)) if os.path.islink(os.path.join(share, name))],
}))
