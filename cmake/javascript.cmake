# Compiles the TypeScript into dist/ of the source when a source is newer than the last time.
file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/*.ts bench/*.ts)
set(stamp "${CMAKE_CURRENT_BINARY_DIR}/javascript.stamp")
add_custom_command(
  OUTPUT "${stamp}"
  COMMAND "${CMAKE_COMMAND}" -P "${CMAKE_CURRENT_SOURCE_DIR}/cmake/build-javascript.cmake"
  COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
  DEPENDS ${sources} package.json package-lock.json tsconfig.json tsconfig.build.json cmake/build-javascript.cmake
  WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
  COMMENT "Building the TypeScript"
  VERBATIM
)
add_custom_target(javascript ALL DEPENDS "${stamp}")
