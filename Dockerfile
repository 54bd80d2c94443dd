# syntax=docker/dockerfile:1
# Images of iq_learn: robot (the default), gazebo, and learner-gpu for a host with an NVIDIA GPU.
#
#   docker build --target robot -t iq_learn:robot .
#   docker run --rm -it --network host --ipc host iq_learn:robot ros2 launch iq_learn demo.launch.py
ARG ROS_DISTRO=kilted
ARG NODE_VERSION=20

FROM node:${NODE_VERSION}-bookworm-slim AS node

# What every image runs on: ROS 2, Node, and the packages that the launch files start.
FROM ros:${ROS_DISTRO}-ros-base AS base
ARG ROS_DISTRO
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Versions are those of the distribution's own snapshot.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ros-${ROS_DISTRO}-joy \
      ros-${ROS_DISTRO}-robot-state-publisher \
      ros-${ROS_DISTRO}-teleop-twist-joy \
      ros-${ROS_DISTRO}-twist-mux \
 && rm -rf /var/lib/apt/lists/*
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/include/node /usr/local/include/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
 && useradd --create-home --uid 1100 --user-group --shell /bin/bash iq \
 && install -d -o iq -g iq /opt/iq_learn /data
ENV ROS_DISTRO=${ROS_DISTRO}

# Everything that needs a compiler or the network.
FROM base AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential python3-colcon-common-extensions python3-numpy \
 && rm -rf /var/lib/apt/lists/*
USER 1100:1100
WORKDIR /opt/iq_learn
COPY --chown=iq:iq package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY --chown=iq:iq . .
# Compiles the TypeScript, builds the package with colcon, builds rclnodejs against this ROS 2 and generates its messages.
# hadolint ignore=SC1091
RUN npm run build \
 && source "/opt/ros/${ROS_DISTRO}/setup.bash" \
 && bash scripts/setup-ros.sh

# Beside or on the robot: simulator, recorder, policy, learner on the CPU.
FROM base AS robot
COPY --from=build --chown=iq:iq /opt/iq_learn /opt/iq_learn
COPY --chmod=755 scripts/docker-entrypoint.sh /usr/local/bin/iq_learn-entrypoint
USER 1100:1100
# Recordings, runs and policies: a volume.
WORKDIR /data
ENTRYPOINT ["iq_learn-entrypoint"]
CMD ["ros2", "pkg", "executables", "iq_learn"]

FROM robot AS gazebo
ARG ROS_DISTRO
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends "ros-${ROS_DISTRO}-ros-gz" \
 && rm -rf /var/lib/apt/lists/*
USER 1100:1100

# The CUDA 13 libraries and onnxruntime's CUDA provider, from PyPI wheels of the version of onnxruntime-node.
FROM build AS cuda
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-pip \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o iq -g iq /opt/iq_learn_cuda
USER 1100:1100
RUN bash scripts/setup-cuda.sh /opt/iq_learn_cuda

# For a host with an NVIDIA driver of version 580 or newer.
FROM robot AS learner-gpu
COPY --from=cuda --chown=iq:iq /opt/iq_learn_cuda /opt/iq_learn_cuda
ENV IQ_LEARN_CUDA=/opt/iq_learn_cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /data
CMD ["ros2", "launch", "iq_learn", "learn.launch.py", "device:=cuda", "recording:=recordings"]

FROM robot
