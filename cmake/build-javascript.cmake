# cmake -P, in the package's folder. The network is used only where packages are missing, and a dist/ that came with the
# package is taken where there is no compiler.
find_program(NPM npm REQUIRED)
function(npm)
  execute_process(COMMAND "${NPM}" ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

if(EXISTS node_modules/.bin/tsc)
  npm(run --silent build)
elseif(EXISTS dist/src/hosts/ros2/main.js)
  message(STATUS "dist/ is taken as it is")
  if(NOT EXISTS node_modules)
    npm(ci --omit=dev --ignore-scripts --no-audit --no-fund)
  endif()
else()
  npm(ci --no-audit --no-fund) # runs the build
endif()
