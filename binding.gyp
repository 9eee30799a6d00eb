# Builds the C++ shim for one Node ABI, and the stand-in core of its tests: bindings/build.mjs.
# Installing the package never needs it: published packages carry the shim prebuilt.
{
  "variables": {
    "foundation_shim_warnings": ["-Wall", "-Wextra", "-Werror"]
  },
  "targets": [
    {
      "target_name": "foundation_shim",
      "sources": [
        "bindings/shim/addon.cc",
        "bindings/shim/interrupt_table.cc",
        "bindings/shim/isolate_registry.cc",
        "bindings/shim/old_systems.cc",
        "bindings/shim/readable_memory.cc",
        "bindings/shim/shared_blocks.cc"
      ],
      "include_dirs": ["bindings/shim", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=9",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED"
      ],
      "cflags_cc!": ["-std=gnu++14", "-std=gnu++17"],
      "cflags_cc": [
        "-std=gnu++20",
        "-fno-exceptions",
        "-fvisibility=hidden",
        "<@(foundation_shim_warnings)",
        # As system headers: the warnings of V8's are not ours to fix.
        "-isystem", "<(node_root_dir)/include/node"
      ],
      # A store may outlive the worker that loaded the addon; its deleter must stay mapped.
      "ldflags": ["-Wl,-z,nodelete"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "gnu++20",
        "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "13.0",
        "WARNING_CFLAGS": ["<@(foundation_shim_warnings)"]
      }
    },
    {
      "target_name": "foundation_test_core",
      "sources": ["bindings/shim/test_core.cc"],
      "include_dirs": ["bindings/shim"],
      "defines": ["NAPI_VERSION=9"],
      "cflags_cc!": ["-std=gnu++14", "-std=gnu++17"],
      "cflags_cc": ["-std=gnu++20", "-fvisibility=hidden", "<@(foundation_shim_warnings)"],
      # The shim calls into this addon until the process ends.
      "ldflags": ["-Wl,-z,nodelete"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "gnu++20",
        "MACOSX_DEPLOYMENT_TARGET": "13.0",
        "WARNING_CFLAGS": ["<@(foundation_shim_warnings)"]
      }
    }
  ]
}
