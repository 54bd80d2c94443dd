"""Writes a bag as `ros2 bag record` would, with the rosbags library: python write_bag.py FOLDER

A rover that drives 3 s, then a silence of 20 s, then 2 s more. Topics of somebody else are in it, too; no episode markers."""

import sys
from pathlib import Path

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

store = get_typestore(Stores.ROS2_JAZZY)
types = store.types


def of(name):
    return types[name]


Time, Header = of("builtin_interfaces/msg/Time"), of("std_msgs/msg/Header")
Vector, Point, Quaternion = of("geometry_msgs/msg/Vector3"), of("geometry_msgs/msg/Point"), of("geometry_msgs/msg/Quaternion")
Pose, Twist = of("geometry_msgs/msg/Pose"), of("geometry_msgs/msg/Twist")


def header(ns, frame):
    return Header(stamp=Time(sec=ns // 10**9, nanosec=ns % 10**9), frame_id=frame)


def pose(x):
    return Pose(position=Point(x=x, y=0.0, z=0.0), orientation=Quaternion(x=0.0, y=0.0, z=0.0, w=1.0))


def twist(v):
    return Twist(linear=Vector(x=v, y=0.0, z=0.0), angular=Vector(x=0.0, y=0.0, z=0.0))


def odometry(ns, t):
    covariance = np.zeros(36)
    return of("nav_msgs/msg/Odometry")(
        header=header(ns, "odom"),
        child_frame_id="base_link",
        pose=of("geometry_msgs/msg/PoseWithCovariance")(pose=pose(0.2 * t), covariance=covariance),
        twist=of("geometry_msgs/msg/TwistWithCovariance")(twist=twist(0.2), covariance=covariance),
    )


def scan(ns):
    return of("sensor_msgs/msg/LaserScan")(
        header=header(ns, "base_scan"),
        angle_min=-1.5,
        angle_max=1.5,
        angle_increment=0.1,
        time_increment=0.0,
        scan_time=0.1,
        range_min=0.05,
        range_max=5.0,
        ranges=np.full(31, 2.0, dtype=np.float32),
        intensities=np.zeros(0, dtype=np.float32),
    )


def stamped(kind, ns, frame, **fields):
    return of(f"geometry_msgs/msg/{kind}")(header=header(ns, frame), **fields)


start = 1_700_000_000 * 10**9
with Writer(Path(sys.argv[1]), version=9, storage_plugin=StoragePlugin.MCAP) as writer:
    connections = {
        topic: writer.add_connection(topic, kind, typestore=store)
        for topic, kind in {
            "/odom": "nav_msgs/msg/Odometry",
            "/scan": "sensor_msgs/msg/LaserScan",
            "/goal_pose": "geometry_msgs/msg/PoseStamped",
            "/cmd_vel": "geometry_msgs/msg/TwistStamped",
            "/rosout": "rcl_interfaces/msg/Log",
        }.items()
    }

    def write(topic, ns, message):
        writer.write(connections[topic], ns, store.serialize_cdr(message, connections[topic].msgtype))

    for begin, steps in ((0, 30), (23, 20)):
        for i in range(steps + 1):
            ns = start + begin * 10**9 + i * 10**8
            write("/odom", ns, odometry(ns, begin + i / 10))
            write("/scan", ns + 1, scan(ns))
            write("/goal_pose", ns + 2, stamped("PoseStamped", ns, "odom", pose=pose(9.0)))
            write("/cmd_vel", ns + 20_000_000, stamped("TwistStamped", ns, "base_link", twist=twist(0.2)))
