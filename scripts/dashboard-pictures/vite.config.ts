import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Relative addresses, as the page is served from a folder; one bundle of some megabytes is no concern here.
export default defineConfig({
  base: './',
  plugins: [react()],
  define: { 'process.env.NODE_ENV': JSON.stringify('production') },
  build: {
    chunkSizeWarningLimit: 20_000,
    // Editors and maps of @grafana/ui that no panel here loads.
    rollupOptions: { external: [/^monaco-editor/, /^@monaco-editor/, /^ol(\/|$)/] },
  },
});
