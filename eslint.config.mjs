// The linter proper is biome. ESLint stays for the one thing that needs types: a promise that
// nobody waits for is a message lost without a trace, and only the type checker can see it.
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/**", "native/**", "bindings/generated/**", "bench/**", "**/node_modules/**"] },
  {
    files: ["ts/**/*.ts", "bindings/**/*.ts", "test/**/*.ts"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/prefer-promise-reject-errors": "error",
      // Callbacks are left out: a one-line arrow that hands a promise on is clearer without
      // `async`.
      "@typescript-eslint/promise-function-async": ["error", { checkArrowFunctions: false }],
      // "in-try-catch" keeps the frame that can handle the rejection on the stack.
      "@typescript-eslint/return-await": ["error", "in-try-catch"],
    },
  },
);
