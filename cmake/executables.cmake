# What Node is told. Its young generation begins at 1 MB and shrinks back to that while little is allocated: a collection
# (1 to 5 ms) every 50 control cycles. With 16 MB from the start it is one in a thousand.
file(STRINGS config/node-options NODE_OPTIONS)
list(JOIN NODE_OPTIONS " " NODE_OPTIONS)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS config/node-options)

# lib/iq_learn/<name> for each node, and iq-learn, the command line of the npm package.
function(executable NAME PROGRAM)
  set(ARGUMENTS "${ARGN}")
  configure_file(cmake/executable.sh.in "${CMAKE_CURRENT_BINARY_DIR}/executables/${NAME}" @ONLY
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  install(PROGRAMS "${CMAKE_CURRENT_BINARY_DIR}/executables/${NAME}" DESTINATION "lib/${PROJECT_NAME}")
endfunction()

foreach(node simulator expert recorder learner policy demo gazebo_task gateway supervisor keys describe)
  executable(${node} dist/src/hosts/ros2/main.js ${node})
endforeach()
executable(iq-learn dist/src/cli/main.js)
