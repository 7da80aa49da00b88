#include "arguments.h"

#include <limits.h>
#include <math.h>

namespace bulkhead {

[[noreturn]] static void refuse(Napi::Env env, const std::string &sentence) {
	throw Napi::TypeError::New(env, sentence);
}

uint64_t readInteger(Napi::Value value, const char *name, uint64_t min, uint64_t max) {
	double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
	// The comparison is in doubles: every bound used is at most 2^53 - 1, so it is exact, and NaN fails it.
	if (!(number >= static_cast<double>(min) && number <= static_cast<double>(max)) || trunc(number) != number)
		refuse(value.Env(), std::string(name) + " must be a whole number from " + std::to_string(min) + " to " +
		                        std::to_string(max));
	return static_cast<uint64_t>(number);
}

uint32_t readUint32(Napi::Value value, const char *name, uint32_t min, uint32_t max) {
	return static_cast<uint32_t>(readInteger(value, name, min, max));
}

uint32_t readDomid(Napi::Value value, const char *name) { return readUint32(value, name, 0, kMaxDomid); }

uint32_t readPort(Napi::Value value, const char *name) { return readUint32(value, name, 1, INT_MAX); }

int readFd(Napi::Value value) { return static_cast<int>(readUint32(value, "fd", 0, INT_MAX)); }

bool readBoolean(Napi::Value value, const char *name) {
	if (!value.IsBoolean()) refuse(value.Env(), std::string(name) + " must be a boolean");
	return value.As<Napi::Boolean>().Value();
}

Napi::Function readFunction(Napi::Value value, const char *name) {
	if (!value.IsFunction()) refuse(value.Env(), std::string(name) + " must be a function");
	return value.As<Napi::Function>();
}

Napi::Object readObject(Napi::Value value, const char *name) {
	if (!value.IsObject()) refuse(value.Env(), std::string(name) + " must be an object");
	return value.As<Napi::Object>();
}

std::string readText(Napi::Value value, const char *name, size_t maxBytes) {
	if (!value.IsString()) refuse(value.Env(), std::string(name) + " must be a string");
	std::string text = value.As<Napi::String>().Utf8Value();
	if (text.size() > maxBytes)
		refuse(value.Env(), std::string(name) + " is longer than " + std::to_string(maxBytes) + " bytes");
	if (text.find('\0') != std::string::npos) refuse(value.Env(), std::string(name) + " holds a NUL byte");
	return text;
}

std::string readPath(Napi::Value value, const char *name) {
	std::string path = readText(value, name, PATH_MAX - 1);
	if (path.empty()) refuse(value.Env(), std::string(name) + " is empty");
	return path;
}

std::vector<uint64_t> readIntegers(Napi::Value value, const char *name, uint64_t max, size_t maxCount) {
	if (!value.IsArray()) refuse(value.Env(), std::string(name) + " must be an array");
	Napi::Array array = value.As<Napi::Array>();
	uint32_t count = array.Length();
	if (count < 1 || count > maxCount)
		refuse(value.Env(), std::string(name) + " must have 1 to " + std::to_string(maxCount) + " elements");
	std::vector<uint64_t> numbers;
	numbers.reserve(count);
	for (uint32_t i = 0; i < count; i++) numbers.push_back(readInteger(array.Get(i), name, 0, max));
	return numbers;
}

}  // namespace bulkhead
