#include "yardstick.h"

NAPI_MODULE_INIT() {
  yardstick::ExportCalls(env, exports);
  yardstick::ExportWakes(env, exports);
  yardstick::ExportLimit(env, exports);
  return exports;
}
