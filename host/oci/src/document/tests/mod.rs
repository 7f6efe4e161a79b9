mod image;
mod reader;
