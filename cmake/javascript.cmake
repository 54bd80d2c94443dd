# The TypeScript part: compiled into dist/ of the source, installed beside launch files and configuration.
foreach(EXECUTABLE policy learner recorder simulator expert demo gazebo_task)
  configure_file(cmake/wrapper.sh.in "${CMAKE_CURRENT_BINARY_DIR}/wrappers/${EXECUTABLE}" @ONLY)
  install(PROGRAMS "${CMAKE_CURRENT_BINARY_DIR}/wrappers/${EXECUTABLE}" DESTINATION "lib/${PROJECT_NAME}")
endforeach()

configure_file(cmake/install.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/install.cmake" @ONLY)
install(SCRIPT "${CMAKE_CURRENT_BINARY_DIR}/install.cmake")
