# Finds Node, and says what to do where it is missing or too old: Ubuntu 24.04's own is 18.19, which rosdep installs.
find_program(NODE node)
set(remedy "install Node 20.19 or later, for example with nvm (https://github.com/nvm-sh/nvm): nvm install 22. \
NodeSource's package nodejs brings its own npm and conflicts with apt's: apt remove npm first")
if(NOT NODE)
  message(FATAL_ERROR "there is no node on the PATH; ${remedy}")
endif()
execute_process(COMMAND "${NODE}" --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REGEX REPLACE "^v" "" version "${version}")
if("${version}" VERSION_LESS 20.19)
  message(FATAL_ERROR "Node is too old: ${version} in ${NODE}; ${remedy}")
endif()
