// Reads SDF and URDF files as Gazebo does and prints what is in them, one line a file. Exits with 1 where one is wrong.
#include <cstdint>
#include <iostream>
#include <sdf/sdf.hh>

int main(int argc, char **argv) {
  int status = 0;
  for (int i = 1; i < argc; i++) {
    sdf::Root root;
    for (const auto &error : root.Load(argv[i])) {
      std::cout << argv[i] << ": " << error.Message() << "\n";
      status = 1;
    }
    if (const auto *world = root.WorldByIndex(0))
      std::cout << argv[i] << ": world " << world->Name() << ", " << world->ModelCount() << " models\n";
    if (const auto *model = root.Model()) {
      uint64_t sensors = 0;
      for (uint64_t k = 0; k < model->LinkCount(); k++) sensors += model->LinkByIndex(k)->SensorCount();
      std::cout << argv[i] << ": model " << model->Name() << ", " << model->LinkCount() << " links, "
                << model->JointCount() << " joints, " << sensors << " sensors\n";
    }
  }
  return status;
}
