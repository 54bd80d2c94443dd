# `colcon test`: the parts of `npm test` that show whether this build works here: messages, robots, rclnodejs to rclpy.
ament_add_test(vitest
  COMMAND "${NODE}" node_modules/vitest/vitest.mjs run --reporter=default --reporter=junit
          "--outputFile.junit=${AMENT_TEST_RESULTS_DIR}/${PROJECT_NAME}/vitest.xunit.xml"
          test/messages test/robot test/package/environment.test.ts
  OUTPUT_FILE "${CMAKE_CURRENT_BINARY_DIR}/vitest.txt"
  RESULT_FILE "${AMENT_TEST_RESULTS_DIR}/${PROJECT_NAME}/vitest.xunit.xml"
  TIMEOUT 600
  WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
)
