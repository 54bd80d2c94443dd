# lib/iq_learn/<name> for each node, and iq-learn, the command line of the npm package.
function(executable NAME PROGRAM)
  set(ARGUMENTS "${ARGN}")
  configure_file(cmake/executable.sh.in "${CMAKE_CURRENT_BINARY_DIR}/executables/${NAME}" @ONLY
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  install(PROGRAMS "${CMAKE_CURRENT_BINARY_DIR}/executables/${NAME}" DESTINATION "lib/${PROJECT_NAME}")
endfunction()

foreach(node simulator expert recorder learner policy demo gazebo_task)
  executable(${node} dist/src/ros/main.js ${node})
endforeach()
executable(iq-learn dist/src/cli/main.js)
