# `colcon test`: the suite as npm runs it, without the parts that need ROS processes.
