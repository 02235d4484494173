/**
 * What a plugin's module is given that has nothing of this program to import from, as beside the compiled binary.
 *
 * @module
 */
import { z } from "zod";
import { sleep } from "../base/sleep.ts";
import * as fields from "../config/fields.ts";
import { PluginOptionsWrong } from "./errors.ts";
import { options } from "./options.ts";
import { plugin } from "./plugin.ts";

export const pluginKit = { plugin, options, fields, z, sleep, PluginOptionsWrong };
export type PluginKit = typeof pluginKit;
