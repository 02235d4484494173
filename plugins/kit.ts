/**
 * What a plugin's module is given that has nothing of this program to import from, as beside the compiled binary.
 *
 * @module
 */
import { z } from "zod";
import * as fields from "../config/fields.ts";
import { PluginOptionsWrong } from "./errors.ts";
import { options } from "./options.ts";

export const pluginKit = { options, fields, z, PluginOptionsWrong };
export type PluginKit = typeof pluginKit;
