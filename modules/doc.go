// Package modules holds the model of loaded and unloaded modules, their
// versions and address ranges, and readers for what lm in all its forms and
// !lmi print of them.
package modules
