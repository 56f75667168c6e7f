include $(sort $(wildcard $(BR2_EXTERNAL_H5EDGE_PATH)/package/*/*.mk))
